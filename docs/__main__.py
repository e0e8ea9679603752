"""Write the tables that are generated from the code into the pages: `python -m docs`."""

from docs.generated import GENERATED, PAGES, filled

if __name__ == "__main__":
    for name in GENERATED:
        page = PAGES / name
        page.write_text(filled(name, page.read_text()))
