"""Pure functions over arrays. scikit-learn and scipy take a second to import: they are imported in
the functions that need them, as a step that has nothing to compute needs none of them."""
