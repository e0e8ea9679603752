"""Write what the code knows into the pages: tables of settings and columns, examples, the rooms."""
