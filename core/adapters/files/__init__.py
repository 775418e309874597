"""The ports on files: submissions, archives, logs, and the folders of the site that hold them."""
