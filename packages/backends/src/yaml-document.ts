import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml'

export type Path = readonly PropertyKey[]

export type Position = { line: number; column: number }

export type YamlDocument = {
  /** The plain value; undefined when the text is not YAML. */
  value: unknown
  /** Where the text is not YAML, or says something twice. */
  problems: { position: Position; message: string }[]
  /** Where the field at a path stands, or of the nearest one around it that exists. */
  positionOf(path: Path): Position
  /** The text a scalar was written with: a number has lost what is beyond sixteen digits. */
  sourceOf(path: Path): string | undefined
}

type Place = { offset: number; node: Node }

/** Reads YAML for people who will have to mend it: everything in it can be pointed at. */
export function openYaml(text: string): YamlDocument {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line: line || 1, column: col || 1 }
  }
  const problems = document.errors.map(({ code, pos, message }) => ({
    position: positionAt(pos[0]),
    message: code === 'DUPLICATE_KEY' ? 'this field is there twice' : message,
  }))
  const isYaml = document.errors.every(({ code }) => code === 'DUPLICATE_KEY')

  return {
    value: isYaml
      ? valueOf(document, (message, offset) => problems.push({ position: positionAt(offset), message }))
      : undefined,
    problems,
    positionOf(path) {
      for (let length = path.length; length > 0; length -= 1) {
        const place = placeOf(document, path.slice(0, length))
        if (place) return positionAt(place.offset)
      }
      return positionAt(document.contents?.range?.[0] ?? 0)
    },
    sourceOf(path) {
      const node = placeOf(document, path)?.node
      return isScalar(node) ? node.source : undefined
    },
  }
}

/** The plain value; undefined after telling of aliases that lead nowhere, or to more than a file can mean. */
function valueOf(document: Document, onProblem: (message: string, offset: number) => void): unknown {
  let isWhole = true
  const fail = (message: string, offset: number) => {
    isWhole = false
    onProblem(message, offset)
  }
  visit(document, {
    Alias: (_, alias) => {
      if (!alias.resolve(document)) fail(`there is no anchor &${alias.source} before this alias`, alias.range?.[0] ?? 0)
    },
  })
  try {
    return isWhole ? document.toJS() : undefined
  } catch (error) {
    return fail((error as Error).message, 0)
  }
}

/** A field of a map is found where its key stands, an item of a list where it begins. */
function placeOf(document: Document, path: Path): Place | undefined {
  let place: Place = { offset: 0, node: document.contents as Node }
  for (const step of path) {
    const next = stepInto(place.node, step)
    if (!isNode(next?.value)) return undefined
    const node = isAlias(next.value) ? next.value.resolve(document) : next.value
    if (!node) return undefined
    place = { offset: next.offset, node }
  }
  return place
}

function stepInto(node: Node, step: PropertyKey): { offset: number; value: unknown } | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(step)]
    return isNode(item) ? { offset: item.range?.[0] ?? 0, value: item } : undefined
  }
  if (!isMap(node)) return undefined
  // Of a field that is there twice the last one counts.
  const pair = node.items.findLast(({ key }) => isScalar(key) && String(key.value) === String(step))
  return pair && isScalar(pair.key) ? { offset: pair.key.range?.[0] ?? 0, value: pair.value } : undefined
}
