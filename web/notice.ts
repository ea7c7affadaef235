/** Says in the middle of the page, in place of the screen, why there is nothing to be seen any more. */
export function showNotice(text: string): void {
  const place = document.querySelector<HTMLElement>('#screen');
  const notice = document.createElement('p');
  notice.className = 'notice';
  notice.textContent = sentence(text);
  place?.replaceChildren(notice);
}

/** What the server says as a part of a sentence, as a whole one. */
const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1).replace(/\.?$/, '.');
