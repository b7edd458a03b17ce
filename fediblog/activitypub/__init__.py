"""The post-room: everything that other servers say or hear (ARCHITECTURE §1).

vocabulary   names, contexts and media types of ActivityStreams as the fediverse speaks it
compact      foreign JSON -> a document in one spelling; hostile JSON ends here
signatures   signing a request, and believing one
ownership    who may speak for what: the origin law
audience     visibility <-> to and cc
"""
