import type { Workload } from './workload.ts'

/** Reads one answer as its bytes come, and judges at the end whether all of it came. */
export type AnswerReader = {
  /** True with the bytes that bring the first content of a stream. */
  take: (bytes: Buffer) => boolean
  complete: (status: number) => boolean
}

/**
 * The load client shares two cores with what it measures, so it parses no JSON: the mock's text needs no escapes, and
 * its length can be told by looking for the keys.
 */
export function readAnswer({ mode, text }: Workload): AnswerReader {
  let answer = ''
  let started = false
  return {
    take: (bytes) => {
      answer += bytes.toString('latin1')
      if (started || mode === 'plain' || !firstContent.test(answer)) return false
      started = true
      return true
    },
    complete: (status) =>
      status === 200 && (mode === 'stream' ? streamIsWhole(answer, text) : plainIsWhole(answer, text)),
  }
}

const firstContent = /^data: .*"content":"[^"]/m
const finished = /"finish_reason":"(?:stop|length)"/

const plainIsWhole = (answer: string, text: string): boolean =>
  finished.test(answer) && answer.includes(`"content":"${text}"`)

function streamIsWhole(answer: string, text: string): boolean {
  return finished.test(answer) && answer.endsWith('data: [DONE]\n\n') && contentLength(answer) === text.length
}

function contentLength(answer: string): number {
  const key = '"content":"'
  let length = 0
  for (let at = answer.indexOf(key); at >= 0; at = answer.indexOf(key, at)) {
    at += key.length
    length += answer.indexOf('"', at) - at
  }
  return length
}
