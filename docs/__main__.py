"""Write the tables that are generated from the code into the pages: `python -m docs`."""

from docs.generator.generated import GENERATED, PROJECT, filled

if __name__ == "__main__":
    for name in GENERATED:
        page = PROJECT / name
        page.write_text(filled(name, page.read_text()))
