export declare function fingerprintOf(root: string): string
export declare function whatIsMissing(root: string): string | undefined
export declare function unfinishedPackages(root: string): string[]
