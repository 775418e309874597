"""One job, in the order of its steps: prepare, run, collect, judge, record, release."""
