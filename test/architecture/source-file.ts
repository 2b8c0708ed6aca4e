import { parseSync, Visitor } from 'oxc-parser'

export type Import = { line: number; specifier: string }

/** What the rules want to know of one file. */
export type SourceFile = {
  path: string
  /** Every import, re-export, dynamic import and `import('…')` type. */
  imports: Import[]
  /** Dynamic imports of something that is only known when it runs. */
  computedImports: number[]
  readsEnvironment: number[]
  usesAny: number[]
  /** Names imported from a package, as `package#name`. */
  importedNames: { line: number; name: string }[]
  /** Methods that are called. */
  calls: { line: number; name: string }[]
  /** Properties of object literals. */
  properties: { line: number; name: string }[]
}

/** Reads a file's syntax tree. Throws when the text is no TypeScript. */
export function parseSource(path: string, text: string): SourceFile {
  const { program, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]?.message}`)

  const lineAt = lineCounter(text)
  const file: SourceFile = {
    path,
    imports: [],
    computedImports: [],
    readsEnvironment: [],
    usesAny: [],
    importedNames: [],
    calls: [],
    properties: [],
  }
  const imported = (start: number, specifier: string, names: string[] = []) => {
    file.imports.push({ line: lineAt(start), specifier })
    for (const name of names) file.importedNames.push({ line: lineAt(start), name: `${specifier}#${name}` })
    if (isProcess(specifier) && names.some((name) => ['env', 'default', '*'].includes(name))) {
      file.readsEnvironment.push(lineAt(start))
    }
  }

  new Visitor({
    ImportDeclaration({ start, source, specifiers }) {
      const names = specifiers.map((one) => {
        if (one.type === 'ImportNamespaceSpecifier') return '*'
        return one.type === 'ImportDefaultSpecifier' ? 'default' : nameOf(one.imported)
      })
      imported(start, source.value, names)
    },
    ExportNamedDeclaration({ start, source, specifiers }) {
      if (!source) return
      const names = specifiers.map(({ local }) => nameOf(local))
      imported(start, source.value, names)
    },
    ExportAllDeclaration({ start, source }) {
      imported(start, source.value, ['*'])
    },
    ImportExpression({ start, source }) {
      if (source.type === 'Literal' && typeof source.value === 'string') imported(start, source.value)
      else file.computedImports.push(lineAt(start))
    },
    TSImportType({ start, source }) {
      imported(start, source.value)
    },
    MemberExpression({ start, object, property }) {
      const isEnv = nameOf(property) === 'env'
      if (isEnv && nameOf(object) === 'process') file.readsEnvironment.push(lineAt(start))
      if (isEnv && object.type === 'MetaProperty') file.readsEnvironment.push(lineAt(start))
    },
    VariableDeclarator({ start, id, init }) {
      if (id.type !== 'ObjectPattern' || nameOf(init) !== 'process') return
      const takesEnv = id.properties.some((one) => one.type === 'Property' && nameOf(one.key) === 'env')
      if (takesEnv) file.readsEnvironment.push(lineAt(start))
    },
    CallExpression({ start, callee }) {
      const name = nameOf(callee)
      if (name) file.calls.push({ line: lineAt(start), name })
    },
    ObjectExpression({ properties }) {
      for (const one of properties) {
        if (one.type === 'Property') file.properties.push({ line: lineAt(one.start), name: nameOf(one.key) })
      }
    },
    TSAnyKeyword({ start }) {
      file.usesAny.push(lineAt(start))
    },
  }).visit(program)
  return file
}

export const isProcess = (specifier: string): boolean => specifier === 'process' || specifier === 'node:process'

type Named = { type: string; name?: unknown; value?: unknown; property?: unknown } | null

/** What an identifier, a string key, or the end of a chain of members is called. */
function nameOf(node: Named): string {
  if (node?.type === 'MemberExpression') return nameOf(node.property as Named)
  return String(node?.name ?? node?.value ?? '')
}

function lineCounter(text: string): (offset: number) => number {
  const starts = [...text.matchAll(/\n/g)].map(({ index }) => index + 1)
  return (offset) => 1 + starts.filter((start) => start <= offset).length
}
