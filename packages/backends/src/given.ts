type Given<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> }

/** Only the fields that have a value: what is absent stays absent. */
export const given = <T extends object>(fields: T): Given<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>
