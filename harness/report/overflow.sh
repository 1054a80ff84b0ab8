#!/bin/sh
# overflow.sh PAGE...: does a page run out of its width, in Chromium, at 390 and 1,280 px? Prints what does. Exit code 1
# when one does, 3 where there is no Chromium.
#
# The page allows no script, so it is looked at from outside: a second page shows it in a frame of that width and reads
# how wide its content is.
set -eu
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
  { echo "overflow: there is no Chromium here (Debian's package chromium), so pages are not looked at"; exit 3; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
for page; do
  page=$(realpath "$page")
  for width in 390 1280; do
    cat >"$work/look.html" <<END
<!DOCTYPE html><title>none</title><body style="margin:0"><iframe id="f" width="$width" height="900" src="file://$page"></iframe>
<script>
addEventListener("load", () => {
  const d = document.getElementById("f").contentDocument, w = d.documentElement.clientWidth, out = [];
  if (d.documentElement.scrollWidth > w) out.push("the page is " + d.documentElement.scrollWidth + " px wide");
  for (const e of d.querySelectorAll("body *")) {
    const box = e.getBoundingClientRect(), head = e.closest("thead"),
          inside = e.closest(".wide, details, svg, figure") || (head && getComputedStyle(head).position === "absolute");
    if (!inside && box.width > 0 && box.right > w + 1) out.push(e.tagName + " ends at " + Math.round(box.right) + " px: " + e.textContent.slice(0, 40));
    if (e.matches("a, p, li, td, h1, h2, h3") && box.width > 0 && box.width < 24 && e.textContent.trim().length > 8)
      out.push(e.tagName + " is only " + Math.round(box.width) + " px wide: " + e.textContent.slice(0, 40));
  }
  document.body.textContent = out.length ? "OVERFLOW " + out.slice(0, 10).join("; ") : "FITS";
});
</script>
END
    # Everything that a frame of another file needs to be read; a profile of its own, so that nothing is left behind.
    said=$("$browser" --headless --no-sandbox --disable-gpu --disable-web-security --allow-file-access-from-files \
      --user-data-dir="$work/profile" --window-size=1400,1000 --virtual-time-budget=10000 --dump-dom \
      "file://$work/look.html" 2>/dev/null | grep -oE '(FITS|OVERFLOW [^<]*)' | head -n 1)
    case $said in
    FITS) ;;
    *)
      echo "overflow: $page at $width px: ${said:-it could not be looked at}"
      failed=1
      ;;
    esac
  done
done
exit $failed
