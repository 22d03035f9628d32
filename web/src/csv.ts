// CSV as spreadsheets read it: RFC 4180, a byte order mark for Excel, and no cell that runs as a formula.

/** One cell. A cell that a spreadsheet would take for a formula gets a leading apostrophe. */
export function cell(value: string): string {
  const safe = /^[=+\-@\t\r]/.test(value) ? "'" + value : value;
  return /[",\r\n]|^\s|\s$/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
}

/** Header and rows, lines ended by CRLF. */
export function csv(header: string[], rows: Iterable<string[]>): string {
  const lines = ["\ufeff" + header.map(cell).join(",")];
  for (const row of rows) lines.push(row.map(cell).join(","));
  return lines.join("\r\n") + "\r\n";
}

/** Hands a file to the browser's downloads; nothing leaves the machine. */
export function download(name: string, content: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
