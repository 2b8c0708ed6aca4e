-- Jobs lie here for as long as they run, and the large ones are images, which do not compress: trying takes longer than writing.
alter table store.kept_completion alter column job set storage external;
