"""Parts of a document that a program writes: between <!-- NAME --> and <!-- /NAME -->."""
from fault import Fault


def fill(path, name, text):
    """Puts `text` between the two marks of a file, in the place of what is there."""
    first, last = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    with open(path, encoding="utf-8") as file:
        before, begun, rest = file.read().partition(first)
    old, ended, after = rest.partition(last)
    if not begun or not ended:
        raise Fault(f"{path}: lacks the marks {first.strip()} and {last}; put them where the text belongs")
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + first + text.strip("\n") + "\n" + last + after)
