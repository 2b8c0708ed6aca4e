/** A server-sent event of a stream, with its number and, of a chunk, its text. */
export type Event = { id: number; data: string; text: string }

/** The events of a stream, one at a time. What is no event, and no comment either, is an error. */
export async function* eventsOf(response: Response): AsyncGenerator<Event, void> {
  if (!response.ok) throw new Error(`The stream was refused with ${response.status}: ${await response.text()}`)
  let rest = ''
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    const whole = (rest + part).split('\n\n')
    rest = whole.pop()!
    for (const block of whole) if (!block.startsWith(':')) yield eventOf(block)
  }
  if (rest !== '') throw new Error(`The stream ends in the middle of an event: ${rest}`)
}

function eventOf(block: string): Event {
  const [, id, data] = /^id: (\d+)\ndata: (.*)$/.exec(block) ?? []
  if (id === undefined || data === undefined) throw new Error(`Not an event: ${block}`)
  return { id: Number(id), data, text: data === '[DONE]' ? '' : textIn(JSON.parse(data)) }
}

const textIn = ({ choices }: { choices?: { delta: { content?: string } }[] }): string =>
  choices?.[0]?.delta.content ?? ''

/** Reads a stream beside the test, which may ask at any time what has come. */
export function listening(asked: Promise<Response> | Response) {
  const events: Event[] = []
  const end = (async () => {
    for await (const event of eventsOf(await asked)) events.push(event)
  })()
  end.catch(() => {})
  return {
    events,
    end,
    text: () => textOfEvents(events),
    ids: () => events.map(({ id }) => id),
    lastId: () => events.at(-1)?.id ?? 0,
  }
}

export const textOfEvents = (events: readonly Event[]): string => events.map(({ text }) => text).join('')

/** `first` to `last`, each once. */
export const numbers = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i)
