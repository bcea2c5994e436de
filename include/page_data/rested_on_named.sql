-- The largest of the breaks that a month's signature rests on.
{rested_on}
ORDER BY amount DESC, known.break_id
LIMIT %(most)s
