"""The ports on files: submissions, archives, logs, and the site's folders that contain them."""
