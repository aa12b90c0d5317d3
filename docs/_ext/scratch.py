"""Where examples leave their pictures while the site is built: not in the sources. A page shows its figure itself."""

import tempfile

_folder = tempfile.TemporaryDirectory()


def argv(gallery_conf, script_vars):
    """What an example finds after its name on the command line."""
    return [_folder.name]
