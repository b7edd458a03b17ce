"""What other servers say becomes ours: the one place that knows in how many shapes they say it.

    accounts    actors
    posts       Note, Question, Article, Page, Event, Video, Audio, Image; and votes, which look like posts
    bodies      what is to be read in them, as clean HTML
    files       what is attached to them
    questions   polls
    tags        hashtags, mentions, custom emoji, quotes
    consents    whether a quote is agreed to, and who may quote
    reactions   the emoji of a like, the words of a report
    addresses, dates, words    the values that all of these are made of

Pure functions over documents as `compact.read` makes them, after FEDERATION §2, §3, §4 and §11. Whatever a
document holds, the answer is a value within the budgets of SECURITY §4 or `Malformed`, in linear time. A
property that makes no sense is as if it were not there; only what nothing works without is insisted on.
Who may speak for what is not judged here (ownership.py): the caller knows where the document came from.
"""

from fediblog.activitypub.reading.accounts import account
from fediblog.activitypub.reading.posts import post
from fediblog.activitypub.reading.reactions import comment, reaction

__all__ = ["account", "comment", "post", "reaction"]
