import type { CompletionRequest, Tool } from '@weir/contracts'
import { lastAsked, resultsIn } from './simulated-prompt.ts'

type Asking = Pick<CompletionRequest, 'messages' | 'tools' | 'toolChoice' | 'parallelToolCalls'>

/** More calls than this at once help nobody. */
const MOST_CALLS = 16

/**
 * The tools that are called: one where the request demands it, by name if it says which; otherwise those that the last
 * message of the user names, as in "use get_weather" or "get weather". Once their results are there, none.
 */
export function calledTools(request: Asking): Tool[] {
  const { messages, tools = [], toolChoice = { type: 'auto' }, parallelToolCalls = true } = request
  if (tools.length === 0 || toolChoice.type === 'none' || resultsIn(messages).length > 0) return []
  const offered = offeredBy(tools, toolChoice)
  if (toolChoice.type === 'tool') return offered.slice(0, 1)

  const asked = inWords(lastAsked(messages))
  const named = offered.filter(({ name }) => asked.includes(inWords(name)))
  const isDemanded = toolChoice.type === 'required' || (toolChoice.type === 'allowed' && toolChoice.mode === 'required')
  const called = named.length === 0 && isDemanded ? offered : named
  return called.slice(0, parallelToolCalls && named.length > 0 ? MOST_CALLS : 1)
}

function offeredBy(tools: Tool[], choice: NonNullable<CompletionRequest['toolChoice']>): Tool[] {
  if (choice.type === 'tool') return tools.filter(({ kind, name }) => kind === choice.kind && name === choice.name)
  if (choice.type !== 'allowed') return tools
  const allowed = new Set(choice.tools.map(({ kind, name }) => `${kind} ${name}`))
  return tools.filter(({ kind, name }) => allowed.has(`${kind} ${name}`))
}

/** As words between spaces, so that `getWeather`, `get_weather` and "get weather" are the same, and "forget" is not "get". */
function inWords(text: string): string {
  const words = text
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
  return ` ${words.trim()} `
}
