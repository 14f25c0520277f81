/** A rubric's summary: a line that begins with a word and a colon begins a paragraph, any other goes on with the one before. */
export function paragraphsOf(summary: string): string[] {
  const paragraphs: string[] = [];
  for (const line of summary.split("\n").filter((one) => one.trim() !== "")) {
    const before = paragraphs.at(-1);
    if (before === undefined || /^[A-Z][\w ]*:/.test(line)) paragraphs.push(line.trim());
    else paragraphs[paragraphs.length - 1] = `${before} ${line.trim()}`;
  }
  return paragraphs;
}
