#!/usr/bin/env bash
# Makes demo.flv: eight seconds of H.264 and AAC that loop without a seam.
#
# The picture and the tune have a period of eight seconds. Both are encoded three times over, and
# the middle is kept, so that the last frame leads into the first as any frame leads into its next:
# an AAC frame overlaps the one before it, and a rate control starts hungry. At 48 kHz eight seconds
# are exactly 375 AAC frames of 1024 samples, and at 30 pictures a second exactly 240 pictures.
# The same ffmpeg makes the same bytes each time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
run() { ffmpeg -hide_banner -loglevel error -nostdin -y -fflags +bitexact "$@"; }

font=/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
bold=/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf

# Three waves roll at 1, 2 and 3 lengths a period; registers 1 to 3 hold how deep under each a pixel
# is, 0 to 1. Register 4 is the ring of the clock, 5 its hand, which goes round in a period.
shape="st(0,2*PI*T/8)
;st(1,clip((Y-226-16*sin(2*PI*X/W*1.0-ld(0)))/2,0,1))
;st(2,clip((Y-262-13*sin(2*PI*X/W*1.5+2*ld(0)+1))/2,0,1))
;st(3,clip((Y-302-10*sin(2*PI*X/W*2.0-3*ld(0)+2))/2,0,1))
;st(6,hypot(X-548,Y-90))
;st(4,clip(2.5-abs(ld(6)-46),0,1))
;st(7,(X-548)*sin(ld(0))-(Y-90)*cos(ld(0)))
;st(8,(X-548)*cos(ld(0))+(Y-90)*sin(ld(0)))
;st(5,clip(2.5-abs(ld(8)),0,1)*between(ld(7),-8,40))
;"
shape=${shape//$'\n'/}
mix() { # mix SKY WAVE1 WAVE2 WAVE3 CLOCK: one plane's value of a pixel
  echo "${shape}st(9,$1);st(9,ld(9)+($2-ld(9))*ld(1));st(9,ld(9)+($3-ld(9))*ld(2));\
st(9,ld(9)+($4-ld(9))*ld(3));ld(9)+($5-ld(9))*max(ld(4),ld(5))"
}
luma=$(mix "30+Y/9" 74 104 140 225)
# The chroma planes have half the width and height, so their waves are worked out at twice X and Y.
half() { sed -E 's/\bX\b/(2*X)/g; s/\bY\b/(2*Y)/g; s/\bW\b/(2*W)/g' <<<"$1"; }
blue=$(half "$(mix 152 160 158 150 128)")
red=$(half "$(mix 118 104 96 92 128)")

run -f lavfi -i "color=black:s=640x360:r=30:d=8,format=yuv420p,
  geq=lum='$luma':cb='$blue':cr='$red',
  drawtext=fontfile=$bold:text=Headwater:fontcolor=white:fontsize=58:x=44:y=64,
  drawtext=fontfile=$font:text='every broadcast is a tree':fontcolor=0xc4d8ea:fontsize=21
    :x=48:y=134,
  drawtext=fontfile=$bold:text='%{eif\:1+mod(floor(t)\,8)\:d}':fontcolor=white:fontsize=30
    :x=548-tw/2:y=146" \
  -c:v ffv1 "$work/picture.mkv"

# A pluck each half second on a pentatonic scale, over a bass that moves every two seconds.
notes=(440 523.25 659.25 783.99 659.25 523.25 587.33 440)
notes+=(392 493.88 587.33 783.99 659.25 587.33 493.88 392)
bass=(110 87.31 130.81 98)
pick() { # pick INDEX VALUE...: an expression that chooses the value at an index
  local index=$1 out=0 i=0 v
  shift
  for v; do
    out+="+$v*eq($index,$i)"
    i=$((i + 1))
  done
  echo "$out"
}
pluck() { # pluck DELAY: the tune, heard DELAY seconds later
  local t="mod(t+8-$1,8)"
  echo "st(0,$t);st(1,mod(ld(0),0.5));st(2,$(pick "floor(ld(0)*2)" "${notes[@]}"));\
st(3,min(1,ld(1)*150)*exp(-6*ld(1))*min(1,(0.5-ld(1))*30));\
st(4,mod(ld(0),2));st(5,$(pick "floor(ld(0)/2)" "${bass[@]}"));\
st(6,min(1,ld(4)*12)*exp(-0.8*ld(4))*min(1,(2-ld(4))*8));\
0.22*ld(3)*(sin(2*PI*ld(2)*ld(1))+0.3*sin(4*PI*ld(2)*ld(1)))+\
0.16*ld(6)*(sin(2*PI*ld(5)*ld(4))+0.25*sin(4*PI*ld(5)*ld(4)))"
}
run -f lavfi -i "aevalsrc=exprs='$(pluck 0)|$(pluck 0.012)':s=48000:d=8" "$work/tune.wav"
run -stream_loop 2 -i "$work/tune.wav" \
  -c:a aac -b:a 96k -flags:a +bitexact -f adts "$work/tune.aac"
run -stream_loop 2 -i "$work/picture.mkv" -c:v libx264 -preset veryslow -profile:v main -level 3.1 \
  -threads 1 -pix_fmt yuv420p -crf 23 -maxrate 450k -bufsize 450k -bf 0 -g 30 -keyint_min 30 \
  -sc_threshold 0 -flags:v +bitexact -bsf:v filter_units=remove_types=6 "$work/picture.mp4"

# Keep the middle. The first AAC frame is the encoder's delay, so the period begins at frame 376.
run -itsoffset -8 -i "$work/picture.mp4" -itsoffset -8.021333 -i "$work/tune.aac" \
  -map 0:v -map 1:a -c copy -bsf:v "noise=drop='lt(n,240)+gte(n,480)'" \
  -bsf:a "noise=drop='lt(n,376)+gte(n,751)'" \
  -flvflags +no_sequence_end -map_metadata -1 -f flv demo.flv
