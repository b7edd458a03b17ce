"""The inbox: how what other servers bring comes in, and has its effect (ARCHITECTURE §3, EGRESS §3).

door        from the request to a durable row and 202: the cheap refusals first
reading_in  the body of a request, within its budgets
arrivals    who may bring what: the checks between the two
intake      many rows, one commit
processing  rows become effects, through the handlers
"""
