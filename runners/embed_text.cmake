# SPDX-License-Identifier: MIT
# cmake -DOUTPUT=F -DCSS=F -DJS=F -P embed_text.cmake: the page's style and script as constants, so that the command needs
# no files at run time.
function(literal_of file result)
  file(READ ${file} text)
  if(text MATCHES "\\)embed\"|</[sS][cC][rR]|</[sS][tT][yY]")
    message(FATAL_ERROR "${file}: has ${CMAKE_MATCH_0} in it, which would end its literal or its element")
  endif()
  set(${result} "R\"embed(${text})embed\"" PARENT_SCOPE)
endfunction()

literal_of(${CSS} css)
literal_of(${JS} js)
file(WRITE ${OUTPUT} "// Written by the build from runners/html_report.css and runners/html_report.js.
#include \"runners/html_report.h\"

namespace mapspec {

const std::string_view kHtmlReportCss = ${css};
const std::string_view kHtmlReportJs = ${js};

}  // namespace mapspec
")
