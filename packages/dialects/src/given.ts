type Given<Fields> = { [Key in keyof Fields]?: Exclude<Fields[Key], null | undefined> }

/** Without the fields that are null or undefined. */
export function given<Fields extends object>(fields: Fields): Given<Fields> {
  const found: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(fields)) if (value != null) found[key] = value
  return found as Given<Fields>
}
