/** What one statement removes or ends at most: more would hold its locks, and its connection, for too long. */
export const BATCH = 1_000

/** Repeats a statement that does up to `batch` of its work until there is no more, and tells how much there was. */
export async function inBatches(
  signal: AbortSignal | undefined,
  act: () => Promise<{ numAffectedRows?: bigint | undefined } | number>,
  batch = BATCH,
): Promise<number> {
  for (let done = 0; ;) {
    const acted = await act()
    const count = typeof acted === 'number' ? acted : Number(acted.numAffectedRows ?? 0n)
    done += count
    if (count < batch || signal?.aborted) return done
  }
}
