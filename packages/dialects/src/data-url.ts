import type { Source } from '@weir/contracts'

/** `data:image/png;base64,` and the like; parameters such as a charset are not kept. */
const opening = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w.+-]+=[\w.+-]+)*;base64,/i
const base64 = /^[A-Za-z0-9+/]+={0,2}$/
const LONGEST_OPENING = 200

export const isBase64 = (data: string): boolean => base64.test(data)

/** The bytes that a data URL stands for, or undefined when it is none or is not written in base64. */
export function bytesIn(url: string): Extract<Source, { kind: 'base64' }> | undefined {
  // The rest may be megabytes, through which no pattern has to look for its end.
  const found = opening.exec(url.slice(0, LONGEST_OPENING))
  if (!found) return undefined
  const data = url.slice(found[0].length)
  return isBase64(data) ? { kind: 'base64', mediaType: found[1]!.toLowerCase(), data } : undefined
}

export const dataUrlOf = ({ mediaType, data }: { mediaType: string; data: string }): string =>
  `data:${mediaType};base64,${data}`

/** An address on the web, as far as one can tell by looking. */
export const isWebUrl = (url: string): boolean => /^https?:\/\//i.test(url) && URL.canParse(url)
