export type Preference = {
  /** How long the client would wait, in milliseconds. */
  waitMs: number | undefined
  /** It would not wait at all. */
  respondAsync: boolean
}

const MOST_SECONDS = 86_400

/** The preferences of a request that we know (RFC 7240, sections 4.1 and 4.3); what cannot be read is ignored, as it says. */
export function preferenceOf(header: string | string[] | undefined): Preference | undefined {
  if (header === undefined) return undefined
  const preferences = (Array.isArray(header) ? header.join(',') : header)
    .split(',')
    .map((each) => each.split(';')[0]!.trim())
  const wait = preferences
    .map((each) => /^wait\s*=\s*"?(\d{1,9})"?$/i.exec(each)?.[1])
    .find((each) => each !== undefined)
  const waitMs = wait === undefined ? undefined : Math.min(Number(wait), MOST_SECONDS) * 1_000
  const respondAsync = preferences.some((each) => /^respond-async$/i.test(each))
  return { waitMs, respondAsync: respondAsync && waitMs === undefined }
}
