"""Text: what people type becomes safe HTML, and foreign HTML becomes safe HTML or plain text.

    tidying     any text field -> the form in which it is stored
    typed       a typed text -> its pieces: words, links, handles, hashtags; and how long it counts
    rendering   those pieces -> our HTML
    markup      foreign HTML -> tags and text, whatever it is
    cleaning    those -> the HTML that we keep and show
    emoji       clean HTML with custom emoji as pictures
    references  clean HTML with the words that stand for a quote, and without them
    extracts    HTML -> plain text, whole or the beginning of it
    terms       any text -> the words by which it is found

Pure functions: no database, no configuration, no network. All of them take time in proportion to their
input, also when somebody built the input to be slow (SECURITY §4), and none of them raises.
"""

from fediblog.text.cleaning import clean
from fediblog.text.emoji import is_emoji, name_with_emoji, with_emoji
from fediblog.text.extracts import excerpt, plain, words
from fediblog.text.references import refers_to, without_reference
from fediblog.text.rendering import Person, reference, render, render_field, render_note
from fediblog.text.terms import Phrase, phrases, terms
from fediblog.text.tidying import tag_key, tidy, tidy_block
from fediblog.text.typed import Handle, Scan, length, scan

__all__ = [
    "Handle",
    "Person",
    "Phrase",
    "Scan",
    "clean",
    "excerpt",
    "is_emoji",
    "length",
    "name_with_emoji",
    "phrases",
    "plain",
    "reference",
    "refers_to",
    "render",
    "render_field",
    "render_note",
    "scan",
    "tag_key",
    "terms",
    "tidy",
    "tidy_block",
    "with_emoji",
    "without_reference",
    "words",
]
