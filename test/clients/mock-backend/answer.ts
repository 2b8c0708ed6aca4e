/** What a scripted model answers, in the words of no vendor. Text comes in the pieces it is streamed in. */
export type Answer = {
  reasoning?: readonly string[]
  refusal?: readonly string[]
  text?: readonly string[]
  calls?: readonly { id: string; name: string; arguments: readonly string[] }[]
  finish: 'stop' | 'tool' | 'length' | 'refusal'
  /** `absurd`: numbers that cannot be; `none`: not a word about it. */
  usage: { input: number; output: number } | 'absurd' | 'none'
}

export type Kind = 'openai' | 'anthropic'
export const kinds: readonly Kind[] = ['openai', 'anthropic']

/** Text as a model streams it: word by word. */
export const inWords = (text: string): string[] => text.match(/\s*\S+\s*$|\s*\S+/g) ?? [text]

/** What a model of this kind says before it has said anything, and after it has said everything, around the events between. */
export type Voice = {
  events(answer: Answer, model: string): string[]
  /** A refusal as the vendor of this kind would word it. */
  refusal(status: number, message: string): object
}
