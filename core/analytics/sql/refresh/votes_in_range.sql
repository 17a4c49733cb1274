-- What people said of one stretch of items; what was taken back is marked already.
CREATE OR REPLACE TEMP TABLE votes AS
SELECT
    a.seq, a.project_id, a.item_id, a.person_id, a.kind, coalesce(n.today, a.label) AS label,
    a.prelabel_shown AS shown, CASE WHEN a.kind = 'vote' THEN a.pace_bin END AS bin,
    false AS was, true AS stands
FROM annotations a
LEFT JOIN label_names n ON n.project_id = a.project_id AND n.name = a.label
WHERE NOT a.superseded AND a.item_id BETWEEN $low AND $high;
