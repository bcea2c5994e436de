-- A row that cannot be read may name a jobid alone: that its texts were erased must be known by that too. An erasure may be of
-- a jobid alone, where no row names a number.
ALTER TABLE ropo.text_erasure
    ADD COLUMN jobids text[] NOT NULL DEFAULT '{}',     -- whose texts were erased, with or without a number
    DROP CONSTRAINT text_erasure_check,
    ADD CONSTRAINT text_erasure_names_its_invoice
        CHECK ((reason = 'invoice') = (billnum IS NOT NULL OR jobids <> '{}'));
