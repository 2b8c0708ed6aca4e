const PDF = 'application/pdf'

/** By what a file holds at which place, each byte as a letter. */
const beginnings: readonly { mediaType: string; holds: readonly (readonly [at: number, letters: string])[] }[] = [
  { mediaType: 'image/png', holds: [[0, '\x89PNG\r\n\x1a\n']] },
  { mediaType: 'image/jpeg', holds: [[0, '\xff\xd8\xff']] },
  { mediaType: 'image/gif', holds: [[0, 'GIF87a']] },
  { mediaType: 'image/gif', holds: [[0, 'GIF89a']] },
  {
    mediaType: 'image/webp',
    holds: [
      [0, 'RIFF'],
      [8, 'WEBP'],
    ],
  },
  { mediaType: PDF, holds: [[0, '%PDF-']] },
]

const LONGEST_BEGINNING_BYTES = 12

/** What a file is that models take, by its first bytes; undefined for anything else. */
export function mediaTypeOf(bytes: Uint8Array): string | undefined {
  const begins = Buffer.from(bytes.subarray(0, LONGEST_BEGINNING_BYTES)).toString('latin1')
  return beginnings.find(({ holds }) => holds.every(([at, letters]) => begins.startsWith(letters, at)))?.mediaType
}

export const isImage = (mediaType: string): boolean => mediaType !== PDF
