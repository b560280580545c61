// Opens pages in Chromium and tells what a person would see: whether charts have content, which
// labels collide, what is wider than the page, what the console says and what is asked for.
//
//     echo '{"visits": [{"file": "/tmp/r.html", "width": 390, "scheme": "dark"}]}' | node look.js
//
// A visit may name the PNG file to make a picture in as `picture`, and `print` as its `media`.
'use strict'

const fs = require('node:fs')
const { pathToFileURL } = require('node:url')
const { chromium } = require('playwright-core')

const OPTIONS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

// Runs inside of the page.
function measure() {
  const width = document.documentElement.clientWidth
  const shownElements = [...document.querySelectorAll('body *:not(svg *)')].filter((one) =>
    one.checkVisibility({ visibilityProperty: true })
  )
  const named = (one) => `${one.tagName.toLowerCase()}.${one.getAttribute('class') ?? ''}`

  // The part of a rectangle that no ancestor cuts off.
  const visiblePart = (rectangle, from) => {
    let { left, right, top, bottom } = rectangle
    for (let one = from; one && one !== document.body; one = one.parentElement) {
      if (getComputedStyle(one).overflow !== 'hidden') continue
      const edge = one.getBoundingClientRect()
      left = Math.max(left, edge.left)
      right = Math.min(right, edge.right)
      top = Math.max(top, edge.top)
      bottom = Math.min(bottom, edge.bottom)
    }
    return { left, right, top, bottom }
  }

  const charts = [...document.querySelectorAll('svg')].filter((one) => one.checkVisibility())

  const textsIn = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
    const found = []
    while (walker.nextNode()) {
      const { parentElement: parent, textContent: text } = walker.currentNode
      if (!text.trim() || parent.matches('title') || !parent.checkVisibility()) continue
      if (getComputedStyle(parent).fontSize === '0px') continue
      const range = document.createRange()
      range.selectNodeContents(walker.currentNode)
      for (const rectangle of range.getClientRects()) {
        found.push({ node: walker.currentNode, text: text.trim(), ...visiblePart(rectangle, parent) })
      }
    }
    return found.filter((one) => one.right > one.left && one.bottom > one.top)
  }

  const collisions = []
  const containers = 'figure, svg, .legend, .tiles, .list'
  for (const container of document.querySelectorAll(containers)) {
    if (!container.checkVisibility()) continue
    const texts = textsIn(container)
    texts.forEach((one, place) => {
      for (const other of texts.slice(place + 1)) {
        const across = Math.min(one.right, other.right) - Math.max(one.left, other.left)
        const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top)
        // Text that is cut off has a second rectangle, behind the first.
        if (one.node === other.node) continue
        // Lines of one paragraph touch by a few pixels of empty space above and below letters.
        if (across > 1 && down > 4) collisions.push([one.text, other.text])
      }
    })
  }

  // Text of a chart that stands over its edge, where it may lie on what is beside it.
  const overEdges = charts.flatMap((svg) => {
    const edge = svg.getBoundingClientRect()
    const isOver = ({ left, right, top, bottom }) =>
      Math.max(edge.left - left, right - edge.right) > 1 ||
      Math.max(edge.top - top, bottom - edge.bottom) > 4
    return textsIn(svg).filter(isOver).map((one) => one.text)
  })

  const textSizes = charts.flatMap((svg) => {
    const scale = svg.getScreenCTM().a
    return [...svg.querySelectorAll('text')].map(
      (one) => parseFloat(getComputedStyle(one).fontSize) * scale
    )
  })

  // What stands for data is in groups that are called `role-mark`; the rest are axes and lines.
  const paper = getComputedStyle(document.body).backgroundColor
  const marksOf = (svg) =>
    [...svg.querySelectorAll('.role-mark path, .role-mark line')].filter((one) => {
      const box = one.getBoundingClientRect()
      const { fill, stroke, opacity } = getComputedStyle(one)
      const isPainted = [fill, stroke].some((paint) => paint !== 'none' && paint !== paper)
      return isPainted && Number(opacity) > 0.05 && box.width + box.height > 1
    })
  const marks = charts.map((svg) => {
    const { width, height } = svg.getBoundingClientRect()
    return { drawn: marksOf(svg).length, isShown: width > 40 && height > 10 }
  })

  const cells = charts.flatMap((svg) => [...svg.querySelectorAll('path[fill-opacity]')])
  const style = getComputedStyle(document.body)
  return {
    title: document.title,
    isWider: document.documentElement.scrollWidth > width,
    outside: shownElements
      .filter((one) => visiblePart(one.getBoundingClientRect(), one).right > width + 0.5)
      .map(named),
    collisions,
    overEdges,
    textSizes: [Math.min(...textSizes), Math.max(...textSizes)],
    marks,
    inks: [...new Set(charts.flatMap(marksOf).map((one) => getComputedStyle(one).fill))].sort(),
    heatShades: new Set(cells.map((one) => getComputedStyle(one).fillOpacity)).size,
    narrowestCell: Math.min(1000, ...cells.map((one) => one.getBoundingClientRect().width)),
    scripts: document.scripts.length,
    paper,
    ink: style.color,
    fontFamily: style.fontFamily,
    headings: [...document.querySelectorAll('h1, h2, h3')].map((one) => one.textContent),
  }
}

async function visit(browser, { file, width, scheme, media, picture }) {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: scheme ?? 'light',
  })
  const page = await context.newPage()
  const said = []
  const requests = []
  page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => said.push(`error: ${error.message}`))
  page.on('request', (request) => requests.push(request.url().slice(0, 200)))
  if (media) await page.emulateMedia({ media, colorScheme: scheme ?? 'light' })
  await page.goto(pathToFileURL(file).href)
  const seen = await page.evaluate(measure)
  if (picture) await page.screenshot({ path: picture, fullPage: true })
  await context.close()
  return { ...seen, said, requests }
}

async function main() {
  const { visits, executable } = JSON.parse(fs.readFileSync(0, 'utf8'))
  const browser = await chromium.launch({
    executablePath: executable ?? '/usr/bin/chromium',
    headless: true,
    args: OPTIONS,
  })
  try {
    const seen = []
    for (const one of visits) seen.push(await visit(browser, one))
    process.stdout.write(JSON.stringify(seen))
  } finally {
    await browser.close()
  }
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
