import { readFileSync } from 'node:fs'

/** What a vendor's server has sent in answer to one call, byte for byte. */
export const recording = (name: string): Buffer => readFileSync(new URL(`./streams/${name}.sse`, import.meta.url))
