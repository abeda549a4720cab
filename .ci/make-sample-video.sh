#!/usr/bin/env bash
# Makes the demo's sample recording and its captions: calm slides, a spoken voice where espeak-ng is installed (a soft
# tone where not), H.264 and AAC in a faststart MP4, and a WebVTT file whose cues match the speech.
#
#   .ci/make-sample-video.sh [output-folder]        default: server/demo
#
# The person and the practice are invented; the words belong to this repository.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
out="${1:-$root/server/demo}"
rate=10          # frames per second: slides hardly move
width=1280
height=720

command -v ffmpeg >/dev/null || { echo "make-sample-video: ffmpeg is needed (apt-get install ffmpeg)" >&2; exit 1; }
command -v ffprobe >/dev/null || { echo "make-sample-video: ffprobe is needed (apt-get install ffmpeg)" >&2; exit 1; }

pick_font() {
    local path
    for path in "$@"; do [ -f "$path" ] && { echo "$path"; return; }; done
    command -v fc-match >/dev/null && fc-match -f '%{file}' sans && return
    echo "make-sample-video: no font found (apt-get install fonts-dejavu-core)" >&2
    exit 1
}
sans="$(pick_font /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf /usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf)"
title_font="$(pick_font /usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf "$sans")"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"

# A slide: chapter number | title | points (up to three, ";" between) | colour of the accent | spoken sentences (one a line).
titles=(); points=(); colours=(); speech=()
slide() { titles+=("$1"); points+=("$2"); colours+=("$3"); speech+=("$4"); }

slide "The quiet first week" "For coaches who begin with someone new;About three minutes;With Mara Lindqvist" "0xC8743C" \
"Hello, and welcome. I am Mara, and this is a short recording about the first week with a new client.
It takes about three minutes, and you can pause whenever you like.
Nothing here is complicated. It is a way of beginning that leaves room to breathe."

slide "Listen before you plan" "Ask what a good month looks like;Write down their words, not yours;Leave the plan for later" "0x3C7A89" \
"Many of us arrive with a plan, because a plan feels safe.
Try to leave it in the drawer for one conversation.
Ask your client what a good month would look like, and then wait.
Write down the words they use. Later, those words will be worth more than yours."

slide "One small promise" "Small enough for a bad day;Done before the next call;Chosen by the client" "0x6B7F3A" \
"At the end of the first call, agree on one small promise.
It should be small enough to keep on a bad day.
Ten quiet minutes, one message sent, one page written.
Let the client choose it. A promise that was handed over is only homework."

slide "The call in the middle" "Fifteen minutes, same hour;Start with what worked;No new task yet" "0x8A5A83" \
"Half way through the week, call for fifteen minutes.
Begin with what worked, even if it was little.
If the promise was not kept, make it smaller. Do not add a second one.
People learn in this call whether they may tell you the truth."

slide "Measure something gentle" "A number from one to ten;The same question every time;Look at the line, not the point" "0x3F6FB0" \
"Choose one gentle number.
For example: from one to ten, how steady was this week?
Ask the same question every time, and keep the answers in one place.
A single answer says very little. After six weeks, the line tells a story you can look at together."

slide "Close the week together" "What surprised you?;What do you want to keep?;What may wait?" "0xB0703F" \
"Close the week with three questions.
What surprised you? What do you want to keep? And what may wait?
The third question is a present. Most people carry too much.
Then, and only then, take the plan out of the drawer."

slide "Your turn" "Choose one client;Choose one small promise;Begin on Monday" "0xC8743C" \
"Now it is your turn. Think of one client, and of one small promise.
You can begin on Monday, with nothing but a sheet of paper.
Thank you for listening. Listen again before the first call, if it helps.
Have a calm week, and goodbye."

gap=0.55         # silence after each sentence, seconds
hold=1.6         # silence after each slide, seconds

# ffmpeg's drawtext reads its text from files, so no escaping can go wrong.
seconds_of() { ffprobe -v error -show_entries format=duration -of csv=p=0 "$1"; }
stamp() { awk -v t="$1" 'BEGIN { ms = int(t * 1000 + 0.5); printf "%02d:%02d:%02d.%03d", ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, ms % 1000 }'; }
sum() { awk "BEGIN { printf \"%.3f\", $* }"; }

voice() {  # voice TEXT FILE: mono 44.1 kHz speech, or silence as long as reading it aloud takes
    if command -v espeak-ng >/dev/null; then
        espeak-ng -v en-gb -s 138 -p 42 -g 4 -w "$work/raw.wav" -- "$1"
        ffmpeg -nostdin -v error -y -i "$work/raw.wav" -af "lowpass=f=6500,volume=0.9" -ar 44100 -ac 1 "$2"
    else
        ffmpeg -nostdin -v error -y -f lavfi -i "anullsrc=r=44100:cl=mono" -t "$(awk -v n="$(wc -w <<<"$1")" 'BEGIN { print n / 2.3 }')" "$2"
    fi
}

vtt="$work/captions.vtt"
{ echo "WEBVTT"; echo; } >"$vtt"
: >"$work/sounds.txt"
ffmpeg -nostdin -v error -y -f lavfi -i "anullsrc=r=44100:cl=mono" -t "$gap" "$work/gap.wav"
ffmpeg -nostdin -v error -y -f lavfi -i "anullsrc=r=44100:cl=mono" -t "$hold" "$work/hold.wav"

now=0
starts=(); ends=()
for index in "${!titles[@]}"; do
    starts+=("$now")
    while IFS= read -r sentence; do
        file="$work/say-$index-$(wc -l <"$work/sounds.txt").wav"
        voice "$sentence" "$file"
        length="$(seconds_of "$file")"
        until_="$(sum "$now + $length")"
        printf '%s --> %s\n%s\n\n' "$(stamp "$now")" "$(stamp "$until_")" "$sentence" >>"$vtt"
        printf "file '%s'\nfile '%s'\n" "$file" "$work/gap.wav" >>"$work/sounds.txt"
        now="$(sum "$until_ + $gap")"
    done <<<"${speech[$index]}"
    printf "file '%s'\n" "$work/hold.wav" >>"$work/sounds.txt"
    now="$(sum "$now + $hold")"
    ends+=("$now")
done
total="$now"

# One picture chain: paper ground, then per slide its accent, title and points while it is on, then the moving parts.
filter="[0:v]"
count="${#titles[@]}"
for index in "${!titles[@]}"; do
    on="enable='between(t,${starts[$index]},${ends[$index]}-0.001)'"
    from="${starts[$index]}"
    printf '%s' "${titles[$index]}" >"$work/title-$index.txt"
    printf '%d of %d' "$((index + 1))" "$count" >"$work/number-$index.txt"
    filter+="drawbox=x=96:y=150:w=10:h=330:color=${colours[$index]}:t=fill:$on,"
    filter+="drawtext=fontfile=$sans:textfile=$work/number-$index.txt:fontcolor=${colours[$index]}:fontsize=26:x=140:y=150:$on,"
    filter+="drawtext=fontfile=$title_font:textfile=$work/title-$index.txt:fontcolor=0x2A2622:fontsize=66:x=138:y=196:$on,"
    row=0
    IFS=';' read -ra lines <<<"${points[$index]}"
    for line in "${lines[@]}"; do
        printf '%s' "$line" >"$work/point-$index-$row.txt"
        # Points appear one after the other.
        filter+="drawtext=fontfile=$sans:textfile=$work/point-$index-$row.txt:fontcolor=0x5A534B:fontsize=36:x=140:y=$((322 + row * 58)):"
        filter+="enable='between(t,$from+$((1 + row * 4)),${ends[$index]}-0.001)',"
        row=$((row + 1))
    done
done
printf 'The first week, a talk by Mara Lindqvist' >"$work/foot.txt"
filter+="drawtext=fontfile=$sans:textfile=$work/foot.txt:fontcolor=0x8A8177:fontsize=22:x=96:y=628,"
filter+="drawtext=fontfile=$sans:text='%{pts\\:gmtime\\:0\\:%M\\\\\\:%S}':fontcolor=0x8A8177:fontsize=22:x=w-tw-96:y=628,"
filter+="drawbox=x=96:y=674:w=1088:h=6:color=0xDDD4C8:t=fill[ground];"
# A bar that slides in from the left of a clipped strip: drawbox cannot move, overlay can.
filter+="color=c=0x3C7A89:s=1088x6:r=$rate:d=$total[bar];"
filter+="color=c=0xDDD4C8:s=1088x6:r=$rate:d=$total[rail];"
filter+="[rail][bar]overlay=x='-w+w*t/$total':y=0:eval=frame[strip];[ground][strip]overlay=x=96:y=674:shortest=1,format=yuv420p[picture];"
if command -v espeak-ng >/dev/null; then
    filter+="[1:a]anull[sound]"
else
    filter+="sine=f=196:r=44100:d=$total,volume=0.05,tremolo=f=0.2:d=0.6[tone];[1:a][tone]amix=inputs=2:duration=first[sound]"
fi

ffmpeg -nostdin -v error -y \
    -f lavfi -i "color=c=0xF6F1E9:s=${width}x${height}:r=$rate:d=$total" \
    -f concat -safe 0 -i "$work/sounds.txt" \
    -filter_complex "$filter" -map '[picture]' -map '[sound]' -t "$total" \
    -c:v libx264 -preset slow -tune stillimage -profile:v high -crf 27 -g $((rate * 5)) -pix_fmt yuv420p \
    -c:a aac -b:a 56k -ac 1 -movflags +faststart \
    -map_metadata -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact \
    "$work/sample.mp4"

mv "$work/sample.mp4" "$out/sample.mp4"
cp "$vtt" "$out/sample.en.vtt"
echo "$out/sample.mp4: $(seconds_of "$out/sample.mp4") s, $(wc -c <"$out/sample.mp4") bytes; $(grep -c -- '-->' "$out/sample.en.vtt") captions"
