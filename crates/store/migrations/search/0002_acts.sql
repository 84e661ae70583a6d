-- Acts are found by their kind and system. Runs that were written before hold none of them: the
-- search is derived, and is made anew from the journal.
DELETE FROM run_chunk;
DELETE FROM run;
DELETE FROM run_origin;
