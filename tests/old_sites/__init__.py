"""Sites as earlier versions of the product left them: their ledgers and folders, to be read by every later version."""
