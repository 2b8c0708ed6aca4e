import { type Answer, inWords } from './answer.ts'
import type { Asked } from './asked.ts'
import type { Dress } from './line.ts'

/** What a model of one name does, whatever it is asked. */
export type Script = {
  answer: (asked: Asked) => Answer | string
  dress?: Dress
  /** What becomes of the answer: told slowly, held back, broken off, or left without its end. */
  fate?: 'slow' | 'silent' | 'silent midway' | 'torn' | 'torn first' | 'unfinished' | 'without its last event'
}

const usage = { input: 11, output: 7 }
const saying = (text: string): Answer => ({ text: inWords(text), finish: 'stop', usage })

/** Of two, three and four bytes a character. */
export const FOREIGN = 'Zürich, 河流 and 🌊🏄🏽‍♀️ — naïve “quotes”'
export const HUGE = 'The river goes on. '.repeat(20_000)

const echo = (asked: Asked): Answer => saying(`You said: ${asked.prompt}`)

/** What a test hands over to find its words again, whichever model tells them. */
export const echoOf = (prompt: string): string => `You said: ${prompt}`

/** By the name of the model. An answer that is a sentence refuses the request with it. `http-503` and so on come besides. */
export const scripts: Record<string, Script> = {
  echo: { answer: echo },
  slow: { answer: echo, fate: 'slow' },
  hang: { answer: echo, fate: 'silent' },
  'hang-midway': { answer: echo, fate: 'silent midway' },
  break: { answer: echo, fate: 'torn' },
  'break-first': { answer: echo, fate: 'torn first' },
  eof: { answer: echo, fate: 'unfinished' },
  'no-done': { answer: echo, fate: 'without its last event' },
  crlf: { answer: echo, dress: 'crlf' },
  comments: { answer: echo, dress: 'comments' },
  bytewise: { answer: () => saying(FOREIGN), dress: 'bytewise' },
  huge: { answer: () => saying(HUGE) },
  long: { answer: () => ({ ...saying('The river is'), finish: 'length' }) },
  'absurd-usage': { answer: (asked) => ({ ...echo(asked), usage: 'absurd' }) },
  'no-usage': { answer: (asked) => ({ ...echo(asked), usage: 'none' }) },
  reasoning: { answer: (asked) => ({ ...echo(asked), reasoning: inWords('Rivers run to the sea.') }) },
  refusal: { answer: () => ({ refusal: inWords('I will not say that.'), finish: 'refusal', usage }) },
  tool: { answer: callTool },
  json: { answer: fill },
  image: {
    answer: ({ images: [image] }) => (image ? saying(`${image.mediaType} of ${image.bytes} bytes`) : 'I see no image.'),
  },
}

function callTool({ tools: [tool], toolResult }: Asked): Answer | string {
  if (toolResult !== undefined) return saying(`The tool says: ${toolResult}`)
  if (tool === undefined) return 'There is no tool to call.'
  const call = { id: 'call_mock_1', name: tool, arguments: ['{"ci', 'ty": "Zü', 'rich"}'] }
  return { calls: [call], finish: 'tool', usage }
}

const FILLED = '{"city": "Zürich", "count": 3}'

/** By the schema; or by the tool that a client makes of it for models that it does not know. */
function fill({ schema, tools: [tool] }: Asked): Answer | string {
  if (schema) return saying(FILLED)
  if (tool === undefined) return 'There is no schema to follow.'
  return { calls: [{ id: 'call_mock_2', name: tool, arguments: [FILLED] }], finish: 'tool', usage }
}
