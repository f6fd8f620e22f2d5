"""Parts of a document that a program writes: between <!-- NAME --> and <!-- /NAME -->."""
from fault import Fault


def split(path, name):
    """What stands before the text between the two marks, the text, and what stands after it, marks and all."""
    first, last = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    with open(path, encoding="utf-8") as file:
        before, begun, rest = file.read().partition(first)
    text, ended, after = rest.partition(last)
    if not begun or not ended:
        raise Fault(f"{path}: lacks the marks {first.strip()} and {last}; put them where the text belongs")
    return before + first, text, last + after


def found(path, name):
    """The text between the two marks of a file, without line ends about it."""
    return split(path, name)[1].strip("\n")


def fill(path, name, text):
    """Puts `text` between the two marks of a file, in the place of what is there."""
    before, _, after = split(path, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + text.strip("\n") + "\n" + after)
