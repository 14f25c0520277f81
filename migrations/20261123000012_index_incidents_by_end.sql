-- Which incidents ended in a span of time: for the counts of the last hours and for trends.
create index incidents_by_end on incidents (resolved_at) where resolved_at is not null;
create index incidents_open_by_lab on incidents (lab) where state = 'open' and lab is not null;
