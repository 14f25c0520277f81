-- What the failing members of a stage say themselves: a pattern class, beside the class that the rubric gives.
alter table stage_state add column pattern_class text;
alter table incidents add column pattern_class text;
