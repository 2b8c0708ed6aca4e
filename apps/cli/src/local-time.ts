/** A time of the wire as local ISO time: 2026-03-01T14:05:09+01:00. */
export function localTime(time: string): string {
  const date = new Date(time)
  const offset = -date.getTimezoneOffset()
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19)
  return `${local}${offset < 0 ? '-' : '+'}${twoDigits(Math.abs(offset) / 60)}:${twoDigits(Math.abs(offset) % 60)}`
}

/** The same for a time in Unix seconds. */
export const localSeconds = (seconds: number): string => localTime(new Date(seconds * 1_000).toISOString())

const twoDigits = (value: number): string => String(Math.floor(value)).padStart(2, '0')
