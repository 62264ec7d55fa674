# The kernels. Each program of halide_programs is generators/PROGRAM.cpp; halide_PROGRAM lists what
# is compiled from it: name:generator[,parameter=value...], a C function k_NAME in one object.
halide_programs := audio blur detect match scale
halide_audio  := level_s16_1:level_s16,channels=1 level_s16_2:level_s16,channels=2 \
                 level_f32_1:level_f32,channels=1 level_f32_2:level_f32,channels=2 \
                 k_weighted:k_weighted
halide_blur   := box:box gauss:gauss column_sum:column_sum
halide_detect := thumbnail_4:thumbnail,size=4 thumbnail_8:thumbnail,size=8 \
                 thumbnail_16:thumbnail,size=16 sad:sad gradients:sad,sums=false \
                 squared_error:squared_error
halide_match  := match:match
halide_scale  := half:half phase_32:phase_32 phase_43:phase_43 third:third \
                 general_2:general,taps=2 general_n:general,taps=0
