-- Narrow tables the dashboard's cards are answered from. Rows are changes: figures are sums over
-- rows of equal keys, and now and then rows of equal keys are put together.

-- Statements beside references that have a class. `who` is NULL for a model; `gold` tells gold
-- answers from labels in force, `decided` the labels a lead decided.
CREATE TABLE pair_counts (
    project_id BIGINT, gold BOOLEAN, decided BOOLEAN, use VARCHAR, who BIGINT, shown BOOLEAN,
    own BOOLEAN, truth VARCHAR, said VARCHAR, n BIGINT
);

-- What each person's last word on each item is; `bin` says in which 64th of a doubling of a
-- second the time of a vote lies.
CREATE TABLE live_counts (
    project_id BIGINT, person_id BIGINT, kind VARCHAR, shown BOOLEAN, bin INTEGER, n BIGINT
);

-- On so many items with `others` other votes, `same` of them said what this person said.
CREATE TABLE agreement_counts (
    project_id BIGINT, person_id BIGINT, others BIGINT, same BIGINT, items BIGINT
);

-- How long votes given here took, every revision counted.
CREATE TABLE done_paces (project_id BIGINT, person_id BIGINT, bin INTEGER, n BIGINT);

-- Items that entered or left each state, by quarter hour: clocks change on quarter hours.
CREATE TABLE state_moves (project_id BIGINT, quarter BIGINT, state VARCHAR, change BIGINT);

-- Work done by day and person, in the time zones that were asked for.
CREATE TABLE work_days (
    tz VARCHAR, project_id BIGINT, day DATE, person_id BIGINT, decisions BIGINT, votes BIGINT,
    skips BIGINT, flags BIGINT, active_seconds DOUBLE, median_seconds DOUBLE, elapsed_seconds DOUBLE
);

-- What the roll-up holds of one comparison.
CREATE MACRO rolled_pairs(project, whose, people, against, blind_only, uses) AS TABLE
SELECT who, own, truth, said, n
FROM pair_counts
WHERE project_id = project
  AND gold = (against = 'gold')
  AND (against <> 'adjudicated' OR decided)
  AND (against <> 'evaluate' OR use = 'evaluate')
  AND (len(uses) = 0 OR list_contains(uses, use))
  AND CASE WHEN whose = 'model' THEN who IS NULL
           ELSE who IS NOT NULL
                AND (len(people) = 0 OR list_contains(people, who))
                AND NOT (blind_only AND shown) END;
