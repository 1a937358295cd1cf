# Fails where an object of kernels hands the linker a symbol that others may have too and that is not of its own
# namespace: the linker keeps one copy of such a symbol for the whole program, and it could be the one that was
# compiled for another machine. cmake -DNM=nm -DOBJECT=file -DNAMESPACE=avx2 -P symbols.cmake
execute_process(COMMAND "${NM}" -C "${OBJECT}" OUTPUT_VARIABLE listing RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "${NM} cannot read ${OBJECT}")
endif()
# Definitions that are weak (W, V) or unique in the program (u).
string(REGEX MATCHALL "[0-9a-f]+ [WVu] [^\n]+" shared "${listing}")
set(own 0)
set(foreign "")
foreach(line IN LISTS shared)
  string(REGEX REPLACE "^[0-9a-f]+ [WVu] " "" symbol "${line}")
  if(symbol MATCHES "unrolled::${NAMESPACE}::")
    math(EXPR own "${own} + 1")
  elseif(symbol STREQUAL "unrolled::kCells" OR symbol MATCHES "^DW\\.ref\\.")
    # Read-only data: the same in every copy.
  else()
    string(APPEND foreign "\n  ${symbol}")
  endif()
endforeach()
if(foreign)
  message(FATAL_ERROR "not in unrolled::${NAMESPACE}:${foreign}")
endif()
if(own EQUAL 0)
  message(FATAL_ERROR "no symbol of unrolled::${NAMESPACE} found: this test looks at nothing")
endif()
message(STATUS "${own} shared symbols, all in unrolled::${NAMESPACE}")
