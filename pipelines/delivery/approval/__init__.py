"""A person's decision about a model package: what there is to decide, what is known of it, and the decision."""
