"""Does NIMA help as a loss? One small network, four losses, and what each of them costs.

    python -m examples.restoration --small

`network` restores, `pairs` spoils photos, `losses` are what is compared, `training` runs one of
them, `measuring` judges what came out, `table` says it. What was found: docs/restoration.md.
"""
