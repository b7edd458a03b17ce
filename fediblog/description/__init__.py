"""What the API takes and answers, told once.

The OpenAPI document and the page /docs/api are made of it, and the tests hold every answer of the suite
against it.

entities    what comes back: TypedDicts, one field a line, none left out and none besides
routes      what can be asked: one call of `get`, `post`, … for each route, in the file of its area
kinds       ids, times and the other texts with a form of their own
route       what a route says about itself
schemas     a type as JSON Schema
book        everything together: all routes by area, all entities that they name
openapi     the document

A new route is described in three steps. Its answer is a TypedDict in entities/ (or one that is there, or a
list of it). Its call stands in routes/ with the scope of its decorator, what it reads from the query and from
the form, and with the statuses that it can end with besides those that every route can. A new file is named
in `book.AREAS`. tests/api/test_description.py prints the call for a route that nobody has described yet.
"""
