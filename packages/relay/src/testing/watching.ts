import type { WatchEvent } from '../watch.ts'

export const never = (): AbortSignal => new AbortController().signal

/** The kinds of all events, a frame by its number: `1 2 3 end`. */
export async function told(events: AsyncIterable<WatchEvent>): Promise<string> {
  const words: string[] = []
  for await (const event of events) words.push(wordOf(event))
  return words.join(' ')
}

export const wordOf = (event: WatchEvent): string =>
  event.kind === 'frame' ? String(event.frame.sequence) : event.kind

/** What a watcher of frames 1 to `last` and the end is told. */
export const everyFrameTo = (last: number): string =>
  [...Array.from({ length: last }, (_, i) => i + 1), 'end'].join(' ')
