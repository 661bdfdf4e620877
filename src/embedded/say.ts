/** Takes one line for the operator. The embedded default reports what it does through it and never prints itself. */
export type Say = (line: string) => void;
