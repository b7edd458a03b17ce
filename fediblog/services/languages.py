"""Languages of posts: what is a code of one, and who wants to read which."""

import re

from fediblog import db

# BCP 47 as far as people use it.
_CODE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


def known(code: str) -> bool:
    """Whether this looks like the code of a language."""
    return _CODE.fullmatch(code) is not None


def fault(code: str) -> str | None:
    """Why this is no language, or None."""
    return None if known(code) else "That is not a language code such as en or pt-BR."


def wanted(follow: str, post: str) -> str:
    """SQL: whether a follow takes a post. `follow` and `post` are the aliases of the rows.

    Whoever named no languages takes all; a post without one is for everybody. Whoever takes `pt` takes
    `pt-BR` too, and of a boost counts what it passes on.
    """
    primary, among = _primary("o.language"), _among(follow)
    takes = f"o.language = '' OR {among.format('o.language')} OR {among.format(primary)}"
    passed_on = f"SELECT {takes} FROM post o WHERE o.id = COALESCE({post}.boost_of_id, {post}.id)"
    # Most follows name none, and then the other post is not even looked for.
    return f"CASE WHEN {follow}.languages IS NULL THEN TRUE ELSE ({passed_on}) END"


def _primary(code: str) -> str:
    """SQL: `pt` of `pt-BR`."""
    if db.dialect() == "postgres":
        return f"split_part({code}, '-', 1)"
    return f"substr({code}, 1, instr({code} || '-', '-') - 1)"


def _among(follow: str) -> str:
    """SQL with a place for the code."""
    if db.dialect() == "postgres":
        return f"{follow}.languages ? {{}}"
    # The list is `["de","pt-BR"]`, and no code has a quote in it: this costs less than taking it apart.
    return f"""instr({follow}.languages, '"' || {{}} || '"') > 0"""
