"""The post-room: everything that other servers say or hear (ARCHITECTURE §1).

vocabulary   names, contexts and media types of ActivityStreams as the fediverse speaks it
compact      foreign JSON -> a document in one spelling; hostile JSON ends here
signatures   signing a request, and believing one
ownership    who may speak for what: the origin law
audience     visibility <-> to and cc

budgets      what one event may make us ask of others
client       signed requests to other servers
webfinger    handle -> actor, and whether both sides say the same
resolver     handle or address -> our Account or Post, fetched if unknown
listings     collections of others, page by page
threads      the answers to a post of elsewhere
featured     the pins of an account elsewhere
errands      what of all this is done in the background
"""
