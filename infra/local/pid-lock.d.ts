export type Lock = { kind: 'locked'; release(): void }
export declare function isAlive(pid: number): boolean
export declare function tryLock(path: string, pid?: number): Lock | { kind: 'held'; pid: number }
export declare function lockWhenFree(path: string, onWait?: (pid: number) => void): Promise<Lock>
