type Opens<T extends readonly unknown[]> = { [Index in keyof T]: () => Promise<T[Index]> }

/**
 * Opens all at once. They belong to `stack` then, which disposes the last of the list first; also if one of them fails,
 * and the first failure is thrown when every other one is known to have opened or failed.
 */
export async function openTogether<T extends readonly (AsyncDisposable | undefined)[]>(
  stack: AsyncDisposableStack,
  opens: Opens<T>,
): Promise<T> {
  const results = await Promise.allSettled(opens.map((open) => open()))
  for (const result of results) if (result.status === 'fulfilled') stack.use(result.value)
  for (const result of results) if (result.status === 'rejected') throw result.reason
  return results.map((result) => (result.status === 'fulfilled' ? result.value : undefined)) as unknown as T
}
